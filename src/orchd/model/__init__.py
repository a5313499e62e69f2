"""Nouns: frozen values that every floor may read. Nothing here does input or output."""
