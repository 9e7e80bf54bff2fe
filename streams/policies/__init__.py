"""Keeps the policy packs: what each controller's notice promises, as data for analysts to read and change."""
