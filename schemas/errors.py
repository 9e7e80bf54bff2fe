"""Names every way in which Inzage refuses, by what the caller does next.

No message carries personal data: fields are named, values of identifiers are not repeated.
"""

from __future__ import annotations


class InzageError(Exception):
    """Base of all errors that are meant for a person.

    `code` is stable and machine-readable (`contract.unknown-schema`); `diagnostics()` is the text to show.
    """

    code = "inzage"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint

    def diagnostics(self) -> str:
        """One or two lines for a person: what is wrong, where, and what to do about it."""
        text = str(self)
        return f"{text}\n  {self.hint}" if self.hint else text


class ContractError(InzageError):
    """What was said does not fit the contract: the caller writes a dead letter and goes on."""

    code = "contract"


class TransientError(InzageError):
    """Something outside did not answer: the caller tries the same again."""

    code = "transient"


class TamperError(InzageError):
    """The trail contradicts its own proof: the caller stops and shows it."""

    code = "tamper"


class ConfigError(InzageError):
    """Settings, packs or arguments are wrong: the caller ends with exit code 2."""

    code = "config"
