"""Test files that take more than ten seconds of a processor, the longest first."""

# The first makes the finished project, which the second, unlike most others, does not wait for.
LONGEST = (
    "whole/test_workflow.py",
    "whole/test_real_data.py",
    "whole/test_determinism.py",
    "publish/test_publish.py",
    "metrics/test_own_metric.py",
    "publish/test_replay.py",
    "publish/test_small_copy.py",
    "methods/test_own_method.py",
    "cli/test_examples.py",
    "attest/test_attest.py",
    "audit/test_audit.py",
    "whole/test_slurm.py",
    "whole/test_two_users.py",
    "data/test_own_data_set.py",
    "adopt/test_own_model.py",
    "adopt/test_own_faces.py",
    "audit/test_damage.py",
    "whole/test_protocols.py",
    "whole/test_nonsense.py",
    "test_surroundings.py",
    "figures/test_names_in_figures.py",
    "page/test_page.py",
    "runs/test_interrupted_training.py",
    "figures/test_layout.py",
)
