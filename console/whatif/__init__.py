"""Asks the trail what would be a violation if the law, an agreement or a policy were another. Writes nothing."""
