"""Keeps the Merkle logs of the trail: RFC 6962 trees and proofs, C2SP signed notes and checkpoints. Pure: no I/O."""
