"""Conversion of models into messages."""

from chassis.store.forms import MessageForm
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from services.models.store import Model

METADATA = MessageForm(ModelMetadata, Model.table())
"""Models as clients see them."""
