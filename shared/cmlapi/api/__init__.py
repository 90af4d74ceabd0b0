# Generated from description.json by codegen/generate.py: do not edit.
"""The API's operations."""

from cmlapi.api.cml_service_api import CMLServiceApi as CMLServiceApi
