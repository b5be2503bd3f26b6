"""Who may do what, and what was done: certificates, roles, the audit log. No transport here."""
