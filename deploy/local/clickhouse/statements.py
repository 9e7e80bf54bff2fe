"""Decides what a statement is before the engine sees it: a read, an insert with data, or one that is refused.

A ClickHouse server keeps its machine's files from its clients; the embedded engine does not: `file()` as a
scalar function, INFILE and OUTFILE work in spite of all grants. So those words are refused wherever they
stand as code. Where the text holds anything that this short reading of the lexer might take differently
from ClickHouse (nested comments, heredocs, typographic quotes), they are refused as text too.

A server takes one statement a request; the engine takes several, and the first could take another role for the
second. So a second one is refused, and so is a comment within a comment, which ClickHouse ends later than we do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from inzage.deploy.local.clickhouse.replies import QueryError

_TOKEN = re.compile(
    rb"""(?P<space>[\s]+)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>"(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*`)
    | (?P<comment>--[^\n]* | \#[\ !][^\n]* | /\*.*?\*/)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_FILE_WORDS = re.compile(rb"\b(?:file|[iI][nN][fF][iI][lL][eE]|[oO][uU][tT][fF][iI][lL][eE])\b")
_UNCERTAIN = re.compile(rb"\$|\xe2\x80[\x98-\x9d]|/\*(?:(?!\*/).)*/\*", re.DOTALL)
_ANSWERED = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "FROM"}
_SEVERAL = re.compile(rb";|\b[pP][aA][rR][aA][lL][lL][eE][lL]\b")
_ENGINE_WIDE = frozenset({"KILL", "SYSTEM"})
_KNOWN, _LONGEST_KNOWN = 128, 16_384
"""Statements whose reading is remembered, and bytes of each: longer ones carry data, which is not kept."""
_DATA_START = re.compile(rb"[ \t\r\f\v]*\n?")


@dataclass(frozen=True, slots=True)
class Insert:
    """`INSERT INTO ... FORMAT name` and where its data begins in the text it was read from."""

    head: str
    settings: str
    """The SETTINGS clause, or nothing."""
    format: str
    data_offset: int

    def of_file(self, path: Path) -> str:
        """The same with its data in a file."""
        name = str(path).replace("\\", "\\\\").replace("'", "\\'")
        return f"{self.head} FROM INFILE '{name}' {self.settings} FORMAT {self.format}"


@dataclass(frozen=True, slots=True)
class Statement:
    """`keyword` is the first word in upper case; `format` is what a FORMAT clause at the end names."""

    keyword: str
    format: str | None
    body_end: int
    """How many bytes of the text come before the FORMAT clause and the semicolon."""
    selects: bool = False
    """Whether it begins with SELECT or WITH, however one reads the lexer: then it leaves a connection as it was."""

    @property
    def reads(self) -> bool:
        """Whether the statement answers with rows and leaves everything as it was."""
        return self.keyword in _ANSWERED


def read_insert(text: bytes) -> Insert | None:
    """The insert with data that `text` begins with; None when it is another statement.

    What follows the head is data and is not looked at. Raises `QueryError`.
    """
    tokens = _code(text)
    depth, settings_start = 0, 0
    for number, (kind, start, end) in enumerate(tokens):
        word = text[start:end].upper()
        if number == 0 and word != b"INSERT":
            return None
        depth += (word == b"(") - (word == b")")
        if kind != "word" or depth:
            continue
        if word in (b"SELECT", b"WITH", b"VALUES", b"INFILE"):
            return None
        if word == b"SETTINGS":
            settings_start = start
        if word == b"FORMAT":
            named = next(tokens, None)
            if named is None or text[named[1] : named[2]].upper() == b"VALUES":
                return None  # VALUES holds expressions, so it is read as a statement
            refuse_files(text[:start])
            refuse_several(text[:start])
            data = _DATA_START.match(text, named[2])
            name = text[named[1] : named[2]].decode()
            head, settings = text[: settings_start or start], text[settings_start or start : start]
            return Insert(head.decode(), settings.decode(), name, data.end() if data else named[2])
    return None


def read_statement(text: bytes) -> Statement:
    """What kind of statement `text` is; raises `QueryError`. Programs ask the same again and again."""
    return _remembered(text) if len(text) <= _LONGEST_KNOWN else _read_statement(text)


def _read_statement(text: bytes) -> Statement:
    refuse_files(text)
    refuse_several(text)
    tokens = []
    for token in _code(text):
        tokens.append(token)
        if len(tokens) == 1 and text[token[1] : token[2]].upper() == b"INSERT":
            return Statement("INSERT", None, len(text))
    if tokens and text[tokens[-1][1] :].startswith(b";"):
        tokens.pop()
    begins = text[tokens[0][1] : tokens[0][2]].upper() if tokens else b""
    selects = begins in (b"SELECT", b"WITH") and not _UNCERTAIN.search(text)
    keyword = next((text[start:end].decode().upper() for kind, start, end in tokens if kind == "word"), "")
    if len(tokens) > 2 and text[tokens[-2][1] : tokens[-2][2]].upper() == b"FORMAT":
        (_, clause, _), (_, start, end) = tokens[-2:]
        return Statement(keyword, text[start:end].decode(), clause, selects)
    return Statement(keyword, None, tokens[-1][2] if tokens else 0, selects)


_remembered = lru_cache(_KNOWN)(_read_statement)


def refuse_files(text: bytes) -> None:
    """Raise `QueryError` when `text` names a way to the machine's files."""
    hidden = b"\\" in text and (b"`" in text or b'"' in text)  # `f\x69le` is file
    if not hidden and not _FILE_WORDS.search(text):
        return
    if _UNCERTAIN.search(text):
        raise _files_refused()
    for kind, start, end in _code(text):
        token = text[start:end]
        if kind == "quoted" and b"\\" in token:
            raise _files_refused()
        if kind != "string" and _FILE_WORDS.search(token):
            raise _files_refused()


def refuse_several(text: bytes) -> None:
    """Raise `QueryError` when `text` is more than one statement, by semicolon or by PARALLEL WITH."""
    text = text.rstrip(b"; \t\r\n")
    if not _SEVERAL.search(text):
        return
    before, ended = b"", False
    for _, start, end in _code(text):
        token = text[start:end].upper()
        if ended or _UNCERTAIN.search(text) or (before, token) == (b"PARALLEL", b"WITH"):
            raise QueryError.of(62, "SYNTAX_ERROR", "Multi-statements are not allowed")
        before, ended = token, token == b";"


def refuse_engine_wide(statement: Statement) -> None:
    """Raise `QueryError` for what reaches beyond one's own rights: here all statements run as one user."""
    if statement.keyword in _ENGINE_WIDE:
        why = f"{statement.keyword} is not for users of the local endpoint"
        raise QueryError.of(497, "ACCESS_DENIED", why)


def _code(text: bytes) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of every token that is neither space nor comment; raises `QueryError`."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "comment" and b"/*" in match[0][2:] and match[0].startswith(b"/*"):
            raise QueryError.of(62, "SYNTAX_ERROR", "Comments within comments are not read here")
        if kind not in ("space", "comment"):
            yield kind, match.start(), match.end()


def _files_refused() -> QueryError:
    return QueryError.of(497, "ACCESS_DENIED", "Files of the endpoint's machine are not for clients")
