rule transfer:
    input:
        weights=[f"{RESULTS}/models/{m}/{s}.safetensors" for m, s in TRAINED],
        images=[f"{RESULTS}/adversarial/lbfgs/{m}/{s}.safetensors" for m, s in TRAINED],
    output:
        answers=f"{RESULTS}/transfer/lbfgs.parquet",
    log:
        f"{RESULTS}/logs/transfer.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer.tsv"
    priority: 5
    threads: 1
    resources:
        mem_mb=3000,
        runtime=10,
    params:
        settings=settings.transfer_settings(CFG, TRAINED),
        code=digest("transfer/transfer.py"),
    message:
        "Feed every network's adversarial images, and noise, to every network"
    script:
        step("transfer/transfer.py")
