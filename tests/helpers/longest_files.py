"""Test files that take more than ten seconds of a processor, the longest first."""

# The first makes the finished project, which the second, unlike most others, does not wait for.
LONGEST = (
    "whole/test_workflow.py",
    "whole/test_real_data.py",
    "publish/test_publish.py",
    "whole/test_determinism.py",
    "audit/test_audit.py",
    "attest/test_attest.py",
    "publish/test_replay.py",
    "adopt/test_own_model.py",
    "adopt/test_own_faces.py",
    "methods/test_own_method.py",
    "whole/test_slurm.py",
    "test_surroundings.py",
    "audit/test_damage.py",
    "whole/test_protocols.py",
    "whole/test_nonsense.py",
    "figures/test_names_in_figures.py",
    "page/test_page.py",
    "runs/test_interrupted_training.py",
    "figures/test_layout.py",
)
