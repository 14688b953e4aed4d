"""TensorFlow functions by table: signals, matrices, segments, places, colours, special functions.

Source: argument names as in TensorFlow 2.21's Python API.
"""

from __future__ import annotations

from layergraph.frontends.keras.eras.tensorflow_rows import Function, Options, own

LOST = "Keras 2 saves this function without its tensors and cannot load it either"
RANDOM = "it draws random numbers whenever it runs"

SIGNALS: dict[str, Function] = {
    **own("signal.", "fft:FFT ifft:IFFT fft2d:FFT2 ifft2d:IFFT2 "
          "dct:DCT idct:IDCT", "input"),
    **own("signal.", "fftshift:FFTShift ifftshift:IFFTShift"),
    "signal.frame": Function("tf.Frame", "signal"),
    "signal.overlap_and_add": Function("tf.OverlapAdd", "signal"),
    "signal.stft": Function("tf.STFT", "signals", nulls="window_fn"),
    "signal.inverse_stft": Function("tf.ISTFT", "stfts", nulls="window_fn"),
    "signal.mfccs_from_log_mel_spectrograms": Function("tf.MFCC", "log_mel_spectrograms"),
}  # fmt: skip

MATRICES: dict[str, Function] = {
    "linalg.eigh": Function("ops.Eigh", "tensor:x"),
    "linalg.eigvalsh": Function("tf.EigenvaluesHermitian", "tensor"),
    "linalg.matrix_rank": Function("ops.MatrixRank", "a:x", "tol"),
    "linalg.pinv": Function("ops.Pinv", "a:x", "rcond"),
    **own("linalg.", "eig:Eig eigvals:Eigenvalues", "tensor"),
    **own("", "eig:Eig eigvals:Eigenvalues", "tensor"),
    "linalg.lu": Function("tf.Lu", "input"),
    "linalg.qr": Function("tf.Qr", "input"),
    "linalg.svd": Function("tf.Svd", "tensor"),
    "linalg.set_diag": Function("tf.SetDiag", "input"),
    "linalg.triangular_solve": Function("tf.TriangularSolve", "matrix"),
    "linalg.cholesky_solve": Function("tf.CholeskySolve", "chol"),
    "linalg.inv": Function("tf.Inverse", "input"),
    "linalg.solve": Function("tf.Solve", "matrix"),
    "linalg.lstsq": Function("tf.LeastSquares", "matrix"),
    "linalg.global_norm": Function("tf.GlobalNorm", "t_list"),
    "clip_by_global_norm": Function("tf.ClipByGlobalNorm", "t_list"),
}

SEGMENTS: dict[str, Function] = {
    **{
        f"math.segment_{kind}": Function(
            f"ops.Segment{kind.capitalize()}", "data segment_ids", "", (("sorted", True),)
        )
        for kind in ("sum", "prod", "max", "min")
    },
    **own("math.", "unsorted_segment_sum:SegmentSum unsorted_segment_prod:SegmentProd "
          "unsorted_segment_max:SegmentMax unsorted_segment_min:SegmentMin "
          "segment_mean:SegmentMean unsorted_segment_mean:SegmentMean "
          "unsorted_segment_sqrt_n:SegmentSqrtN", "data"),
}  # fmt: skip

PLACES: dict[str, Function] = {
    "scatter_nd": Function("tf.ScatterND", "indices"),
    "histogram_fixed_width": Function("tf.HistogramFixed", "values"),
    "histogram_fixed_width_bins": Function("tf.HistogramBins", "values"),
    "math.confusion_matrix": Function("tf.ConfusionMatrix", "labels"),
    **{
        f"tensor_scatter_nd_{name}": Function(
            "ops.ScatterUpdate", "tensor:inputs indices updates", "", (("reduction", kind),)
        )
        for name, kind in {"update": None, "add": "add", "max": "max", "min": "min"}.items()
    },
    "tensor_scatter_nd_sub": Function("tf.ScatterSub", "tensor"),
    "searchsorted": Function("tf.SearchSorted", "sorted_sequence"),
    "unique": Function("tf.Unique"),
    "unique_with_counts": Function("tf.UniqueCounts"),
    "unravel_index": Function("tf.UnravelIndex", "indices"),
    "dynamic_partition": Function("tf.Partition", "data"),
    "batch_gather": Function("tf.BatchGather", "params"),
    "math.bincount": Function("tf.Bincount", "arr"),
    "math.invert_permutation": Function("ops.Argsort"),
    "math.in_top_k": Function("ops.InTopK", "predictions targets", "k"),
    "bitcast": Function("tf.Bitcast", "input"),
    "dtypes.complex": Function("tf.Complex", "real"),
    "meshgrid": Function("", refusal=LOST),
}

COLORS: dict[str, Function] = {
    "image.rgb_to_hsv": Function("ops.RGBToHSV", "images"),
    "image.hsv_to_rgb": Function("ops.HSVToRGB", "images"),
    **own("image.", "rgb_to_yiq:ToYIQ yiq_to_rgb:FromYIQ rgb_to_yuv:ToYUV yuv_to_rgb:FromYUV",
          "images"),
    **own("image.", "adjust_gamma:AdjustGamma adjust_hue:AdjustHue "
          "adjust_saturation:AdjustSaturation resize_with_crop_or_pad:CropOrPad "
          "resize_with_pad:ResizeWithPad", "image"),
    "image.resize_image_with_pad": Function("tf.ResizeWithPad", "image"),
    "image.psnr": Function("tf.PSNR", "a"),
    "image.ssim": Function(
        "ops.SSIM", "img1:image1 img2:image2", "max_val filter_size filter_sigma k1 k2"
    ),
}  # fmt: skip


def _patches(options: Options) -> Options:
    """Sizes of four axes, of which the middle two are an image's."""
    found = {k: list(v)[1:3] if isinstance(v, (list, tuple)) else v for k, v in options.items()}
    return {**found, "padding": str(options.get("padding", "VALID")).lower()}


COLORS["image.extract_patches"] = Function(
    "ops.ExtractPatches", "images", "sizes:size strides rates:dilation_rate padding",
    change=_patches,
)  # fmt: skip

SPECIAL: dict[str, Function] = {
    **own("math.", "lgamma:LogGamma digamma:Digamma bessel_i0e:BesselI0e erfcinv:Erfcinv "
          "ndtri:Ndtri lbeta:LogBeta cumulative_logsumexp:CumulativeLogsumexp "
          "is_non_decreasing:NonDecreasing is_strictly_increasing:StrictlyIncreasing"),
    "nn.weighted_cross_entropy_with_logits": Function("tf.WeightedCrossEntropy", "labels"),
    "nn.log_poisson_loss": Function("tf.LogPoissonLoss", "targets"),
    **own("keras.metrics.", "hinge:Hinge squared_hinge:SquaredHinge", "y_true"),
    "keras.backend.sparse_categorical_crossentropy": Function(
        "ops.SparseCategoricalCrossentropy", "target output", "from_logits axis"
    ),
    "keras.backend.cast_to_floatx": Function(
        "ops.Cast", stated=(("dtype", "float32"),)
    ),
    **{
        f"to_{name}": Function("ops.Cast", stated=(("dtype", dtype),))
        for name, dtype in {
            "float": "float32", "double": "float64", "int32": "int32", "int64": "int64",
            "bfloat16": "bfloat16", "complex64": "complex64", "complex128": "complex128",
        }.items()
    },
    **own("quantization.", "fake_quant_with_min_max_args:FakeQuantize "
          "fake_quant_with_min_max_vars:FakeQuantize", "inputs"),
    "keras.backend.rnn": Function("", refusal="it holds the Python function of a step"),
    **{
        name: Function("", refusal=RANDOM)
        for name in (
            "nn.dropout random.normal random.uniform random.truncated_normal random.shuffle "
            "random.gamma random.poisson random.categorical random.stateless_normal "
            "random.stateless_uniform image.random_brightness image.random_contrast "
            "image.random_crop image.random_flip_left_right image.random_flip_up_down "
            "image.random_hue image.random_saturation"
        ).split()
    },
}  # fmt: skip

SCIENCE: dict[str, Function] = {
    **SIGNALS, **MATRICES, **SEGMENTS, **PLACES, **COLORS, **SPECIAL,
}  # fmt: skip
"""Operations by TensorFlow function."""
