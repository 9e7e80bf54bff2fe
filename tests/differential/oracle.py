"""What each entry says of an event, in plain Python: a second reading of the catalogue, without the SQL.

An entry is a function from what is seen to true (violated), false or None (cannot be told); a second one may warn.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.differential import oracle_cigna, oracle_hmbs
from tests.differential.three import Truth
from tests.differential.view import Seen

Check = Callable[[Seen], Truth]


def judge(seen: Seen, rule: str) -> str:
    """VIOLATION, WARNING, OK or NOT_EVALUABLE."""
    violated = VIOLATED[rule](seen)
    if violated is None:
        return "NOT_EVALUABLE"
    if violated:
        return "VIOLATION"
    return "WARNING" if rule in WARNED and WARNED[rule](seen) else "OK"


_CHECKS: dict[str, Check] = {
    name.upper().replace("_", "-"): check
    for module in (oracle_cigna, oracle_hmbs)
    for name, check in vars(module).items()
    if name.startswith(("cigna_", "hmbs_", "law_", "intake_"))
}
WARNED = {name.removesuffix("-WARNED"): check for name, check in _CHECKS.items() if name.endswith("-WARNED")}
VIOLATED = {name: check for name, check in _CHECKS.items() if not name.endswith("-WARNED")}
VIOLATED |= {f"INTAKE-0{number}": lambda seen: False for number in (1, 2, 3)}
