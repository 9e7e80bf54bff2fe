"""The emitter: how an upstream system says what it does with personal data.

Raw identifiers of persons stay in the process; what leaves it carries references from a vault.
"""

from inzage.schemas.emitter.delivery import Delivery, DeliveryError
from inzage.schemas.emitter.emitter import Emitter
from inzage.schemas.emitter.persons import Pseudonym
from inzage.schemas.emitter.typed.activities import Actor, Approver, Recipient, Record, Response, Template, Transfer
from inzage.schemas.emitter.vault import AlreadyPseudonyms, SqlVault, Vault

__all__ = [
    "Actor",
    "AlreadyPseudonyms",
    "Approver",
    "Delivery",
    "DeliveryError",
    "Emitter",
    "Pseudonym",
    "Recipient",
    "Record",
    "Response",
    "SqlVault",
    "Template",
    "Transfer",
    "Vault",
]
