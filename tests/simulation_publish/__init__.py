"""Publishing under every fault that a seed can think of: the CRM ends equal to what is desired."""
