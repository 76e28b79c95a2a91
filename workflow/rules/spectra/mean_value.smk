rule figure_mean_value:
    output:
        **figure("mean-value", "From the Jacobian to the bound"),
    message:
        "From the Jacobian to the bound, on a network of two inputs"
    script:
        step("spectra/figure_mean_value.py")


EVERYTHING += rules.figure_mean_value.output
