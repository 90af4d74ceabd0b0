"""Conversations: one form of messages, and the checks that chat templates need."""
