"""Verbs: pure functions over the nouns. Nothing here reads a clock, a file, a process or a repository."""
