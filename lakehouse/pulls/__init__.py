"""Changes that people make in a CRM, asked for by when they were made and landed as raw files of the CRM's exports."""
