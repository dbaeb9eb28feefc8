"""From infra/template.yaml to queues, rules and tables of the local stack."""
