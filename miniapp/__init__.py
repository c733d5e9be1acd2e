"""The members' mini-program API under `/api/mini/v1/` (docs/mini-program.md)."""
