"""Which value of each field is the customer's, where records say several: a definition, and the model made of it."""

from lakehouse.models.golden_record.definition import load, read
from lakehouse.models.golden_record.model_sql import model, model_sql

__all__ = ["load", "model", "model_sql", "read"]
