"""The paper's tables beside what was measured, one file each: `snakemake table1` makes `table1.py`.

Numbers are those of the CVPR version; the submission's, after which the published reference is sorted, are
named beside them. A file states which numbers a table is of; `spec.py` says how these are made into one.
"""
