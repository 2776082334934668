"""The auditor's half: from any number back to its bytes, and back again without computing."""
