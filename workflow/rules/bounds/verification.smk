# Other people's benchmarks. A target of its own: it needs their data, and its times
# differ from run to run.
SDP_CROWN = ["sdp-crown-mlp.safetensors", "sdp-crown-mnist-200.npz"]
GLIPSDP = ["glipsdp-fnn.npz", "glipsdp-reference.tsv"]


rule decide_benchmark:
    output:
        records=f"{BOUNDS}/benchmark/decided.parquet",
        seconds=f"{BOUNDS}/benchmark/seconds.json",
        certificates=f"{BOUNDS}/benchmark/certificates.safetensors",
    params:
        settings={"files": SDP_CROWN, "threads": CFG.attack.threads},
    message:
        "Decide the images of the benchmark of SDP-CROWN"
    script:
        step("bounds/decide_benchmark.py")


rule table_benchmark:
    input:
        records=rules.decide_benchmark.output.records,
        seconds=rules.decide_benchmark.output.seconds,
        published="data/verification-published.tsv",
    output:
        **table("benchmark-sdp-crown", "Benchmark of SDP-CROWN"),
    message:
        "The benchmark of SDP-CROWN beside the published verifiers"
    script:
        step("bounds/table_benchmark.py")


rule table_glipsdp:
    output:
        **table("benchmark-glipsdp", "Networks of GLipSDP"),
    params:
        settings={"files": GLIPSDP, "threads": CFG.attack.threads},
    message:
        "Lipschitz constants of GLipSDP's networks beside the published ones"
    script:
        step("bounds/table_glipsdp.py")


if verification.is_staged(*SDP_CROWN, *GLIPSDP):

    rule verification:
        input:
            # The tables are in git: without the records there would be nothing to do.
            rules.decide_benchmark.output,
            rules.table_benchmark.output,
            rules.table_glipsdp.output,

else:

    rule verification:
        message:
            "Skipped: data/raw/verification and the data mirror lack the benchmarks"
        shell:
            ":"
