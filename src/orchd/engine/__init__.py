"""The loop: look, decide, write down, act, look again."""
