"""Triggers: whom to do something for, why and until when; each rule one YAML file."""
