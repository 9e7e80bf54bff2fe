"""What a witness answers, sentence by sentence as https://c2sp.org/tlog-witness has it, over HTTP on loopback."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
import urllib3

from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.hashing import EMPTY_ROOT, hash_leaf
from inzage.sinks.ledger.note import COSIGNATURE, Note, Signature, Signer
from inzage.sinks.witness.protocol import LARGEST_BODY, Submission
from inzage.sinks.witness.register import Register
from inzage.sinks.witness.service import application
from inzage.sinks.witness.witness import Witness
from tests.loopback import on_loopback
from tests.meta_log import ORIGIN, MetaLog

SEALER = Signer.generate("sealer.example")
WITNESS = Signer.generate("witness.example/w1", COSIGNATURE)
LOG = MetaLog(SEALER)
FORK = MetaLog(SEALER, forked_at=7)
HASH = hash_leaf(b"any")


@dataclass
class Served:
    """A witness on a port of this machine."""

    url: str
    register: Register
    clock: list[float]

    def post(self, body: bytes) -> urllib3.BaseHTTPResponse:
        return urllib3.request("POST", f"{self.url}/add-checkpoint", body=body, retries=False)

    def submit(self, submission: Submission) -> urllib3.BaseHTTPResponse:
        return self.post(submission.encode())

    def at(self, size: int) -> None:
        """Bring the witness to `size`."""
        assert self.submit(LOG.submission(0, size)).status == 200


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    register = Register(tmp_path / "state")
    register.belong_to(WITNESS.verifier)
    clock = [1_760_000_000.0]
    witness = Witness(WITNESS, {ORIGIN: [SEALER.verifier]}, register, lambda: clock[0])
    with on_loopback(application(witness)) as url:
        yield Served(url, register, clock)
    register.close()


def test_a_first_checkpoint_and_one_that_continues_it_are_cosigned(served: Served) -> None:
    for old, size in ((0, 5), (5, 300), (300, 300)):
        answer = served.submit(LOG.submission(old, size))
        assert answer.status == 200
        assert answer.data.startswith("— witness.example/w1 ".encode())
        assert answer.data.endswith(b"\n")
        note = Note.read(str(LOG.note(size)) + answer.data.decode())
        cosignature = WITNESS.verifier.find(note)
        assert cosignature
        assert WITNESS.verifier.verify(note.text, cosignature) == 1_760_000_000


def test_an_unknown_origin_is_not_found(served: Served) -> None:
    assert served.submit(MetaLog(SEALER, leaves=5, origin="inzage/meta/other").submission(0, 5)).status == 404


def test_a_note_without_a_trusted_signature_is_forbidden(served: Served) -> None:
    stranger = Signer.generate("sealer.example")
    assert served.submit(MetaLog(stranger, leaves=5).submission(0, 5)).status == 403


def test_signatures_of_unknown_keys_are_ignored(served: Served) -> None:
    asked = LOG.submission(0, 5)
    noise = (Signature("other.example", b"abcd", bytes(64)), Signature("sealer.example", b"abcd", b"x"))
    assert served.submit(replace(asked, note=asked.note.with_signatures(noise))).status == 200


def test_a_false_signature_of_a_trusted_key_is_forbidden(served: Served) -> None:
    asked = LOG.submission(0, 5)
    false = Signature(SEALER.name, SEALER.verifier.key_id, bytes(64))
    assert served.submit(replace(asked, note=Note(asked.note.text, (false,)))).status == 403
    assert served.submit(replace(asked, note=asked.note.with_signatures([false]))).status == 403


def test_an_old_size_above_the_checkpoint_is_a_bad_request(served: Served) -> None:
    served.at(9)
    assert served.submit(LOG.submission(9, 5)).status == 400


@pytest.mark.parametrize(("at", "old", "size"), [(0, 3, 5), (5, 0, 9), (5, 4, 9), (5, 6, 9), (5, 0, 3)])
def test_another_old_size_conflicts_and_says_where_the_witness_is(
    served: Served, at: int, old: int, size: int
) -> None:
    if at:
        served.at(at)
    answer = served.submit(LOG.submission(old, size))
    assert (answer.status, answer.headers["content-type"]) == (409, "text/x.tlog.size")
    assert answer.data == f"{at}\n".encode()


def test_a_proof_that_does_not_verify_is_unprocessable(served: Served) -> None:
    served.at(5)
    asked = LOG.submission(5, 300)
    for proof in ((), asked.proof[:-1], (*asked.proof, HASH), (HASH, *asked.proof[1:])):
        assert served.submit(replace(asked, proof=proof)).status == 422
    assert served.submit(FORK.submission(5, 300)).status == 200, "up to here both tell the same"


def test_a_proof_from_an_empty_tree_must_be_empty(served: Served) -> None:
    assert served.submit(replace(LOG.submission(0, 5), proof=(HASH,))).status == 422


def test_a_proof_between_equal_sizes_must_be_empty(served: Served) -> None:
    served.at(5)
    assert served.submit(replace(LOG.submission(5, 5), proof=(HASH,))).status == 422


def test_another_root_of_the_same_size_conflicts_and_is_kept_as_evidence(served: Served) -> None:
    served.at(10)
    answer = served.submit(FORK.submission(10, 10))
    assert answer.status == 409
    assert "—".encode() not in answer.data
    [fork] = served.register.forks()
    assert (fork.size, fork.kept, fork.refused) == (10, str(LOG.note(10)), str(FORK.note(10)))
    assert served.submit(FORK.submission(10, 10)).status == 409
    assert len(served.register.forks()) == 1


def test_a_fork_is_refused_further_on(served: Served) -> None:
    served.at(10)
    assert served.submit(FORK.submission(10, 300)).status == 422
    assert served.submit(LOG.submission(10, 300)).status == 200


def test_an_empty_tree_has_one_root(served: Served) -> None:
    def empty(root: bytes) -> Submission:
        checkpoint = Checkpoint(ORIGIN, 0, root)
        note = Note(checkpoint.text).with_signatures([SEALER.sign(checkpoint.text)])
        return Submission(0, (), note, checkpoint)

    assert served.submit(empty(bytes(32))).status == 422
    for _ in range(2):
        assert served.submit(empty(EMPTY_ROOT)).status == 200
    assert served.submit(empty(bytes(32))).status == 422
    assert served.submit(LOG.submission(0, 5)).status == 200


GOOD = LOG.submission(5, 300).encode()
LINE = base64.b64encode(HASH)
SIGNED = str(LOG.note(5)).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5",
        GOOD.replace(b"old 5", b"old 05", 1),
        GOOD.replace(b"old 5", b"old -5", 1),
        GOOD.replace(b"old 5", b"old  5", 1),
        GOOD.replace(b"old 5", b"OLD 5", 1),
        GOOD.replace(b"old 5", "old ٥".encode(), 1),
        GOOD.replace(b"old 5", b"old 9223372036854775808", 1),
        GOOD.replace(b"old 5\n", b"old 5\r\n", 1),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD.rstrip(b"\n"),
        b"old 0\nAAAA\n\n" + SIGNED,
        b"old 0\n" + LINE.rstrip(b"=") + b"\n\n" + SIGNED,
        b"old 0\n" + LINE[:-2] + b"1=\n\n" + SIGNED,  # bits beyond the hash
        b"old 0\n" + 64 * (LINE + b"\n") + b"\n" + SIGNED,
        b"old 0\n\n" + LOG.note(5).text.encode(),
        b"old 0\n\n" + SIGNED.replace(b"\n5\n", b"\n05\n"),
        b"old 0\n\n\xff" + SIGNED,
        b"old 0\n\n\x00" + SIGNED,
    ],
)
def test_what_is_malformed_is_a_bad_request(served: Served, body: bytes) -> None:
    assert served.post(body).status == 400


def test_sixty_three_lines_of_proof_are_read(served: Served) -> None:
    assert served.submit(replace(LOG.submission(0, 5), proof=(HASH,) * 63)).status == 422


def test_only_posts_and_only_so_much(served: Served) -> None:
    assert urllib3.request("GET", f"{served.url}/add-checkpoint", retries=False).status == 405
    assert served.post(b"x" * (LARGEST_BODY + 1)).status == 413


def test_sixteen_signatures_are_accepted(served: Served) -> None:
    asked = LOG.submission(0, 5)
    others = [Signature(f"other{number}.example", b"abcd", bytes(4000)) for number in range(15)]
    assert served.submit(replace(asked, note=asked.note.with_signatures(others))).status == 200


def test_extension_lines_are_cosigned_with_the_rest(served: Served) -> None:
    text = LOG.checkpoint(5).text + "an extension\n"
    note = Note(text).with_signatures([SEALER.sign(text)])
    answer = served.submit(Submission(0, (), note, LOG.checkpoint(5)))
    cosigned = Note.read(str(note) + answer.data.decode())
    signature = WITNESS.verifier.find(cosigned)
    assert signature
    WITNESS.verifier.verify(text, signature)


def test_time_does_not_go_back(served: Served) -> None:
    """A cosignature says that no larger tree was seen at its time: a larger one must not be older."""
    served.at(5)
    served.clock[0] -= 3600
    answer = served.submit(LOG.submission(5, 9))
    note = Note.read(str(LOG.note(9)) + answer.data.decode())
    signature = WITNESS.verifier.find(note)
    assert signature
    assert WITNESS.verifier.verify(note.text, signature) == 1_760_000_000


def test_the_newest_checkpoint_can_be_read_by_whoever_watches(served: Served) -> None:
    url = f"{served.url}/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert urllib3.request("GET", url).status == 404
    served.at(5)
    answered = served.submit(LOG.submission(5, 300)).data.decode()
    served.clock[0] += 60
    assert urllib3.request("GET", url).data.decode() == str(LOG.note(300)) + answered
    assert urllib3.request("GET", f"{served.url}/{'0' * 64}/checkpoint").status == 404
