rule figure_box_constraint:
    output:
        **figure("box-constraint", "Box-constrained L-BFGS on two pixels"),
    log:
        f"{RESULTS}/logs/figure_box_constraint.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_box_constraint.tsv"
    params:
        code=digest("attack/figure_box_constraint.py"),
    message:
        "Box-constrained L-BFGS on an image of two pixels"
    script:
        step("attack/figure_box_constraint.py")


EVERYTHING += rules.figure_box_constraint.output
