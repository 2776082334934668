"""Test files by the processor time that they take, the longest first."""

LONGEST = (
    "whole/test_workflow.py",
    "whole/test_protocols.py",
    "publish/test_publish.py",
    "whole/test_determinism.py",
    "whole/test_real_data.py",
    "publish/test_replay.py",
    "methods/test_own_method.py",
    "audit/test_audit.py",
    "test_surroundings.py",
    "audit/test_damage.py",
    "whole/test_nonsense.py",
    "page/test_page.py",
)
