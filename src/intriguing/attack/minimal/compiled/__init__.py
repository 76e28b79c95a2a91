"""The work on pixels compiled for the CPU, one image at a time, in float32."""
