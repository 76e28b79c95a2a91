rule figure_mean_value:
    output:
        **figure("mean-value", "From the Jacobian to the bound"),
    log:
        f"{RESULTS}/logs/figure_mean_value.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_mean_value.tsv"
    params:
        code=digest("spectra/figure_mean_value.py"),
    message:
        "From the Jacobian to the bound, on a network of two inputs"
    script:
        step("spectra/figure_mean_value.py")


EVERYTHING += rules.figure_mean_value.output
