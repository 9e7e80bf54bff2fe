"""Keeps proofs about single records: how one is made from the trail, its file, and how it is checked offline."""
