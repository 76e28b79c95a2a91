rule figure_two_units:
    output:
        **figure("two-units", "What methods know of two units"),
    message:
        "What CROWN and the semidefinite program know of two units"
    script:
        step("bounds/figure_two_units.py")


EVERYTHING += rules.figure_two_units.output
