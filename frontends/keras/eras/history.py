"""Which Keras had which layers: what the table of supported layers says about versions.

Source: the lists of layers in the documentation of Keras 1.2 and 2.15; a test
compares them with the Kerases that can be installed.
"""

from __future__ import annotations

KERAS_1 = frozenset(
    """
    Activation ActivityRegularization AtrousConvolution1D AtrousConvolution2D AveragePooling1D
    AveragePooling2D AveragePooling3D BatchNormalization Bidirectional Conv1D Conv2D
    Conv2DTranspose Conv3D ConvLSTM2D Cropping1D Cropping2D Cropping3D Dense Dropout ELU
    Embedding Flatten GRU GaussianDropout GaussianNoise GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D Highway InputLayer LSTM Lambda LeakyReLU LocallyConnected1D
    LocallyConnected2D Masking MaxPooling1D MaxPooling2D MaxPooling3D MaxoutDense Merge PReLU
    ParametricSoftplus Permute RepeatVector Reshape SReLU SeparableConv2D SimpleRNN
    SpatialDropout1D SpatialDropout2D SpatialDropout3D ThresholdedReLU TimeDistributed
    TimeDistributedDense UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
    ZeroPadding3D
    """.split()
)
"""Layers of Keras 1, some under older names (``Convolution2D``)."""

KERAS_2 = frozenset(
    """
    Add AdditiveAttention AlphaDropout Attention Average CategoryEncoding CenterCrop Concatenate
    Conv1DTranspose Conv3DTranspose ConvLSTM1D ConvLSTM3D CuDNNGRU CuDNNLSTM CustomScaleLayer
    DenseFeatures DepthwiseConv1D DepthwiseConv2D Discretization Dot EinsumDense GRUCell
    GroupNormalization HashedCrossing Hashing Identity IntegerLookup LSTMCell LayerNormalization
    LayerScale Maximum Minimum MultiHeadAttention Multiply Normalization RNN RandomBrightness
    RandomContrast RandomCrop RandomFlip RandomFourierFeatures RandomHeight RandomRotation
    RandomTranslation RandomWidth RandomZoom ReLU Rescaling Resizing SeparableConv1D
    SimpleRNNCell Softmax SpectralNormalization StackedRNNCells StochasticDepth StringLookup
    Subtract TextVectorization UnitNormalization
    """.split()
)
"""Layers that came with Keras 2."""

LEGACY = {
    **dict.fromkeys(
        """
        AtrousConvolution1D AtrousConvolution2D Highway MaxoutDense Merge ParametricSoftplus SReLU
        TimeDistributedDense
        """.split(),
        1,
    ),
    **dict.fromkeys(
        """
        ClassMethod CuDNNGRU CuDNNLSTM DenseFeatures InstanceMethod InstanceProperty
        LocallyConnected1D LocallyConnected2D RandomFourierFeatures RandomHeight RandomWidth
        SlicingOpLambda TFOpLambda TensorFlowOpLayer ThresholdedReLU
        """.split(),
        2,
    ),
}
"""The last major version of layers that are gone."""
