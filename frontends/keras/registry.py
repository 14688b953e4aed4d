"""Which function reads which Keras class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from layergraph.frontends.keras.layer import LayerCall
    from layergraph.frontends.keras.spec import LayerSpec

Masking: TypeAlias = Literal["pass", "drop", "own"]
"""What becomes of the input's mask: handed to the output, dropped (the class does not
support masking in Keras), or set by the reader itself."""

FAMILIES = {
    "applications": "CustomScaleLayer LayerScale StochasticDepth",
    "attention": "AdditiveAttention Attention GroupedQueryAttention MultiHeadAttention",
    "activation": (
        "Activation ELU LeakyReLU PReLU ParametricSoftplus ReLU SReLU Softmax ThresholdedReLU"
    ),
    "convolution": (
        "Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D "
        "Conv1DTranspose Conv2DTranspose Conv3DTranspose LocallyConnected1D LocallyConnected2D"
    ),
    "convolutional_recurrent": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "embedding": "Embedding ReversibleEmbedding",
    "augmentation": (
        "AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization "
        "MaxNumBoundingBoxes MixUp RandAugment RandomBrightness RandomColorDegeneration "
        "RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing "
        "RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert "
        "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness "
        "RandomShear RandomTranslation RandomWidth RandomZoom Solarization"
    ),
    "image": "CenterCrop Resizing",
    "preprocessing": "CategoryEncoding Discretization Normalization Rescaling",
    "text": "HashedCrossing Hashing IntegerLookup StringLookup TextVectorization",
    "linear": "TernaryDense Dense EinsumDense Highway MaxoutDense RandomFourierFeatures",
    "elementwise": (
        "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout "
        "GaussianDropout GaussianNoise ActivityRegularization Identity Masking"
    ),
    "merge": "Add Subtract Multiply Average Maximum Minimum Concatenate Dot Merge",
    "normalization": (
        "BatchNormalization GroupNormalization LayerNormalization RMSNormalization "
        "SpectralNormalization UnitNormalization"
    ),
    "pooling": (
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D "
        "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D "
        "MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D "
        "AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D "
        "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D"
    ),
    "recurrent": (
        "SimpleRNN LSTM GRU RNN Bidirectional TimeDistributed SimpleRNNCell LSTMCell GRUCell "
        "StackedRNNCells DeviceWrapper DropoutWrapper ResidualWrapper"
    ),
    "signal": "MelSpectrogram STFTSpectrogram",
    "shape": (
        "Flatten Reshape Permute RepeatVector ZeroPadding1D ZeroPadding2D ZeroPadding3D "
        "Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D"
    ),
}
"""Keras classes by family; a test holds it equal to the ``@reads`` of each file."""

OPERATIONS = {
    "activation": (
        "Celu Elu Gelu Glu HardShrink HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid "
        "LogSoftmax Relu Relu6 Selu Sigmoid Silu SoftShrink Softmax Softplus Softsign "
        "SparsePlus SparseSigmoid Sparsemax Squareplus Tanh TanhShrink Threshold"
    ),
    "attention": "DotProductAttention",
    "convolution": "Conv ConvTranspose DepthwiseConv SeparableConv",
    "creation": "Geomspace Linspace Logspace Meshgrid Vander",
    "elementwise": (
        "Abs Absolute AllClose Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh "
        "Array BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr "
        "BitwiseRightShift BitwiseXor Cast Cbrt Ceil Clip Conj Conjugate ConvertToTensor Copy "
        "Cos Cosh Deg2rad Divide DivideNoNan Equal Erf Erfc Erfinv Exp Exp2 Expm1 Fabs Floor "
        "FloorDivide Fmax Fmin Fmod Gcd Greater GreaterEqual Heaviside Hypot I0 Imag IsIn "
        "Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal Lcm Ldexp LeftShift Less "
        "LessEqual Log Log10 Log1p Log2 Logaddexp Logaddexp2 LogicalNot LogicalXor Mod "
        "NanToNum Negative Nextafter NotEqual Polar Power Rad2deg Real Reciprocal RightShift "
        "Round Rsqrt SaturateCast Select Sign Signbit Sin Sinc Sinh Sqrt Square StopGradient "
        "Tan TrueDivide Trunc ViewAsComplex ViewAsReal Where"
    ),
    "image": (
        "AffineTransform CropImages ExtractPatches GaussianBlur HSVToRGB MapCoordinates "
        "PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM ScaleAndTranslate "
        "SobelEdges"
    ),
    "indexing": (
        "Argpartition ArraySplit Diag Diagflat Diagonal Dsplit Flip Fliplr Flipud GetItem "
        "Hsplit MultiHot Nonzero OneHot Roll Rot90 Split Take TakeAlongAxis Trace Tril Triu "
        "UnravelIndex Unstack Vsplit"
    ),
    "linalg": (
        "CDist Cholesky CholeskyInverse Det Eig Eigh Inv Logdet Lstsq LuFactor MatrixRank Norm "
        "Pinv Qr SVD Slogdet Solve SolveTriangular"
    ),
    "linear": "Cross Dot Einsum Inner Kron Outer Tensordot Vdot",
    "loss": (
        "BinaryCrossentropy CTCDecode CTCLoss CategoricalCrossentropy InTopK PSNR "
        "SparseCategoricalCrossentropy"
    ),
    "merge": (
        "Add Append Concatenate Dstack EmptyLike Full FullLike Hstack LogicalAnd LogicalOr "
        "Matmul Maximum Minimum Multiply OnesLike Stack Subtract Vstack ZerosLike"
    ),
    "normalization": "BatchNorm LayerNorm Normalize RMSNorm",
    "patches": "DepthToSpace ExtractSequences Fold SpaceToDepth Unfold",
    "pooling": "AdaptiveAveragePool AdaptiveMaxPool AveragePool MaxPool",
    "reduction": (
        "All Amax Amin Any Argmax Argmin Argsort Average CountNonzero Cumprod Cumsum Diff "
        "Logsumexp Max Mean Median Min Moments Nanargmax Nanargmin Nancumprod Nancumsum Nanmax "
        "Nanmean Nanmin Nanprod Nanstd Nansum Nanvar Prod Ptp Sort Std Sum TopK Trapezoid Var"
    ),
    "scatter": (
        "Scatter ScatterUpdate SegmentMax SegmentMin SegmentProd SegmentSum Slice SliceUpdate"
    ),
    "signal": "FFT FFT2 IFFT2 IRFFT ISTFT RFFT STFT",
    "shape": (
        "BroadcastTo ExpandDims Moveaxis Ndim Pad Ravel Rearrange Repeat Reshape Size Squeeze "
        "Swapaxes Tile Transpose View"
    ),
    "statistics": (
        "Bincount Corrcoef Correlate Digitize Histogram Nanmedian Nanpercentile Nanquantile "
        "Percentile Quantile SearchSorted Unique"
    ),
}
"""Classes of ``keras.ops`` by family; the registry knows them as ``ops.Add``."""

OTHERWISE_READ = {
    "InputLayer": "wiring",
    "FeatureSpace": "wiring",
    "Functional": "wiring",
    "Model": "wiring",
    "Sequential": "wiring",
    **dict.fromkeys(("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"), "recurrent"),
    **dict.fromkeys(("SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer"), "tensorflow_functions"),
    **dict.fromkeys(("AtrousConvolution1D", "AtrousConvolution2D"), "convolution"),
    **dict.fromkeys(("CuDNNGRU", "CuDNNLSTM"), "recurrent"),
    "Pipeline": "wiring",
    "TimeDistributedDense": "linear",
}
"""Classes that no ``@reads`` names, and the file that reads them: models, what belongs to
another layer, what an era spells as another class."""

RAGGED = "it makes or reads ragged or sparse tensors, and values here are dense arrays"

REFUSED: dict[str, str] = {
    "ClassMethod": RAGGED,
    "DenseFeatures": "it computes TensorFlow's feature columns, which only TensorFlow 2 can",
    "FlaxLayer": "it runs a Flax module, whose Python code the file names and does not hold",
    "InstanceMethod": RAGGED,
    "InstanceProperty": RAGGED,
    "JaxLayer": "it runs a JAX function, whose Python code the file names and does not hold",
    "Lambda": "it holds Python code, and nothing from a model file is ever executed",
    "TFSMLayer": "it runs a TensorFlow SavedModel beside the file, which only TensorFlow can",
    "TorchModuleWrapper": "it runs a pickled PyTorch module, and nothing is ever unpickled",
    "ops.Arange": "its length would depend on a tensor, and no Keras can build such a node",
    "ops.AssociativeScan": "it holds the Python function that combines two elements",
    "ops.Cond": "it holds a Python function for each of its two branches",
    "ops.ElasticTransform": (
        "it moves pixels by random numbers, which only TensorFlow's generator draws, seed or not"
    ),
    "ops.ForiLoop": "it holds the Python function of a loop's body",
    "ops.JVP": "it holds the Python function it differentiates",
    "ops.Map": "it holds the Python function it applies to each element",
    "ops.Scan": "it holds the Python function of a loop's body",
    "ops.Switch": "it holds a Python function for each of its branches",
    "ops.VectorizedMap": "it holds the Python function it applies to each element",
    "ops.WhileLoop": "it holds the Python functions of a loop's condition and body",
}
"""Classes that will not be read, and why: one sentence without its end."""

TENSORFLOW: dict[str, str] = {
    "tensorflow_signal": (
        "DCT FFT FFT2 FFTShift Frame IDCT IFFT IFFT2 IFFTShift ISTFT MFCC OverlapAdd STFT"
    ),
    "tensorflow_linalg": (
        "CholeskySolve ClipByGlobalNorm Eig Eigenvalues EigenvaluesHermitian GlobalNorm "
        "Inverse LeastSquares Lu Qr Solve Svd TriangularSolve"
    ),
    "tensorflow_diagonals": "Diag DiagPart SetDiag TensorDiag TensorDiagPart Trace",
    "tensorflow_counts": "ConfusionMatrix HistogramBins HistogramFixed ScatterND",
    "tensorflow_scatter": (
        "BatchGather Bincount Bitcast Complex Partition ScatterSub SearchSorted "
        "SegmentMax SegmentMean SegmentMin SegmentProd SegmentSqrtN SegmentSum "
        "Unique UniqueCounts UnravelIndex"
    ),
    "tensorflow_special": (
        "BesselI0e CumulativeLogsumexp Digamma Erfcinv FakeQuantize Hinge LogBeta "
        "LogGamma LogPoissonLoss Ndtri NonDecreasing SquaredHinge StrictlyIncreasing "
        "WeightedCrossEntropy"
    ),
    "tensorflow_color": (
        "AdjustGamma AdjustHue AdjustSaturation CropOrPad FromYIQ FromYUV PSNR "
        "ResizeWithPad Standardization ToYIQ ToYUV"
    ),
    "dynamic": (
        "BooleanMask BroadcastTo Fill GetItem OneHot Ones Pack Pad Range Rank Reshape "
        "SequenceMask Shape Size Slice Split StridedSlice Tile Unstack Where Zeros"
    ),
    "tensorflow_image": (
        "AdjustBrightness AdjustContrast CentralCrop ConvertImage CropToBox FlipLeftRight "
        "FlipUpDown FromGrayscale ImageTranspose PadToBox Resize ResizeArea ResizeBicubic "
        "ResizeBilinear ResizeNearest ResizeOld Rot90 ToGrayscale"
    ),
    "tensorflow_linear": ("Adjoint BandPart Einsum Matmul MatrixTranspose Matvec Tensordot"),
    "tensorflow_losses": (
        "BinaryCrossentropy CategoricalCrossentropy SigmoidCrossEntropy SoftmaxCrossEntropy "
        "SparseSoftmaxCrossEntropy"
    ),
    "tensorflow_math": (
        "AddN Argmax Argmin Argsort Clip ClipByNorm CountNonzero Cumprod Cumsum Divide "
        "DivideNoNan L2Loss L2Normalize Moments MultiplyNoNan Norm Normalize Polyval "
        "ReciprocalNoNan ReduceAll ReduceAny ReduceEuclidean ReduceLogsumexp ReduceMax "
        "ReduceMean ReduceMin ReduceProd ReduceStd ReduceSum ReduceVar ScalarMul Sort "
        "SquaredDifference TopK TruncateDivide XDivY XLog1pY XLogY ZeroFraction"
    ),
    "tensorflow_nn": (
        "AvgPool BatchNormalization BatchToSpace BiasAdd CRelu Conv ConvTranspose "
        "DepthToSpace DepthwiseConv FusedBatchNorm LocalResponse LogSoftmax MaxPool Pool "
        "SeparableConv Silu Softmax SpaceToBatch SpaceToDepth"
    ),
    "tensorflow_shape": (
        "BatchFlatten Concat ConvertToTensor EmbeddingLookup EnsureShape ExpandDims Eye "
        "Gather GatherND IdentityN Linspace OnesLike Repeat Reverse ReverseSequence Roll "
        "Squeeze Transpose ZerosLike"
    ),
}
"""Functions of TensorFlow that ``keras.ops`` has no equal of, as ``tf.Reshape``."""

LAYERS = {
    **{name: family for family, names in FAMILIES.items() for name in names.split()},
    **{f"ops.{name}": family for family, names in OPERATIONS.items() for name in names.split()},
    **{f"tf.{name}": family for family, names in TENSORFLOW.items() for name in names.split()},
}


@dataclass(frozen=True)
class Reader:
    """How one Keras class is read.

    Attributes:
        function: takes the call, returns its output tensors, nested as Keras
            returns them.
        masking: what becomes of masks.
        arguments: names of the call's positional arguments.
    """

    function: Callable[[LayerCall], Any]
    masking: Masking
    arguments: tuple[str, ...]


READERS: dict[str, Reader] = {}


def reads(
    *class_names: str,
    masking: Masking = "drop",
    arguments: tuple[str, ...] = ("inputs",),
) -> Callable[[Callable[[LayerCall], Any]], Callable[[LayerCall], Any]]:
    """Declare the function that reads one or several Keras classes."""

    def register(function: Callable[[LayerCall], Any]) -> Callable[[LayerCall], Any]:
        for name in class_names:
            if name in READERS:
                raise TypeError(f"two functions read {name}")
            READERS[name] = Reader(function, masking, arguments)
        return function

    return register


def reader_of(class_name: str) -> Reader | None:
    """The reader of a Keras class, ``None`` when there is none."""
    family = LAYERS.get(class_name)
    if family is None:
        return None
    import_module(f"layergraph.frontends.keras.layers.{family}")
    return READERS.get(class_name)


def why_unknown(spec: LayerSpec) -> tuple[str, str]:
    """Why a layer cannot be read, and what its user can do about it."""
    if "refusal" in spec.config:
        return (
            spec.config["refusal"],
            f"say what it computes: load(path, layers={{{spec.name!r}: function}})",
        )
    if spec.is_foreign:
        name = spec.registered_name or spec.class_name
        return (
            f"a custom class of {spec.module}" if spec.module else "a custom class",
            f"say what it computes: load(path, layers={{{name!r}: function}})",
        )
    if spec.key in REFUSED:
        return (
            REFUSED[spec.key],
            f"say what it computes: load(path, layers={{{spec.name!r}: function}})",
        )
    return ("this class is not supported yet", "please report which model needs it")
