rule figure_box_constraint:
    output:
        **figure("box-constraint", "Box-constrained L-BFGS on two pixels"),
    message:
        "Box-constrained L-BFGS on an image of two pixels"
    script:
        step("attack/figure_box_constraint.py")


EVERYTHING += rules.figure_box_constraint.output
