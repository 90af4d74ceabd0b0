"""Builds and deployments of models: functions of scripts, served by processes of their own."""
