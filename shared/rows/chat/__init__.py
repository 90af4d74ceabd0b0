"""Conversations: one form of messages, and the checks that their templates need."""
