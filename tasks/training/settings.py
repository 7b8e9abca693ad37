"""What may be set of a training, each field with its range."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SMALLEST_SHARE = 256  # images of a batch for each partition; below this, messages take all the time


class TrainingSettings(BaseModel):
    """The network's layers and how it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    convolutions: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(
        default=(16, 48),
        title="Convolutions",
        description="Kernels of each convolutional layer, first to last, before the hidden layers; "
        "none for hidden layers alone.",
    )
    hidden_layers: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        default=(150,),
        title="Hidden layers",
        description="Width of each hidden layer, first to last; without convolutions, none is "
        "logistic regression.",
    )
    activation: Literal["sigmoid", "tanh", "relu"] = Field(
        default="relu", title="Activation", description="Activation function of the hidden layers."
    )
    initialization: Literal["uniform", "glorot", "he"] = Field(
        default="he",
        title="Initialization",
        description="How random weights are drawn: uniform in ±0.01, glorot for sigmoid and tanh, "
        "he for relu.",
    )
    epochs: int = Field(
        default=120,
        ge=1,
        le=1_000_000,
        title="Epochs",
        description="Passes over the training split.",
    )
    batch_size: int = Field(
        default=32,
        ge=0,
        le=1_000_000,
        title="Batch size",
        description="Images per step of gradient descent; 0 is the full batch, all of them.",
    )
    learning_rate: float = Field(
        default=0.05,
        gt=0,
        le=1_000_000,
        title="Learning rate",
        description="Length of a step, as a multiple of the gradient.",
    )
    schedule: Literal["constant", "cosine"] = Field(
        default="cosine",
        title="Schedule",
        description="Learning rate over the epochs: constant, or cosine, which falls to 0 along "
        "half a wave.",
    )
    momentum: float = Field(
        default=0.9,
        ge=0,
        lt=1,
        title="Momentum",
        description="Share of the last step that is kept in the next; 0 is plain gradient descent.",
    )
    l2: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        title="L2 regularisation",
        description="Weight of the penalty on large weights, l2 / (2 m) · Σ W² for m training "
        "images, without the biases.",
    )
    distortion: float = Field(
        default=1.5,
        ge=0,
        le=5,
        title="Distortion",
        description="Strength of the random rotation, scaling, shear, shift and bending of every "
        "image in every epoch; 1 is about as much as handwriting varies, 0 is none.",
    )
    members: int = Field(
        default=1,
        ge=1,
        le=20,
        title="Members",
        description="Networks to train, each from initial weights of its own, and to merge into "
        "one that averages them; 1 is a single network.",
    )
    average_shifts: bool = Field(
        default=True,
        title="Average shifts",
        description="Predict the mean for an image and for the image moved by one pixel to the "
        "right, down, and both. No training depends on it, and validation is without.",
    )
    freeze_layers: int = Field(
        default=0,
        ge=0,
        le=100,
        title="Freeze layers",
        description="How many layers, from the first, keep their initial weights.",
    )
    validation_fraction: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        title="Validation fraction",
        description="Share of the training split held out to measure cost and accuracy after every "
        "epoch; 0 is none.",
    )
    patience: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        title="Patience",
        description="Stop after so many epochs without a lower validation cost, and keep the best "
        "weights; 0 trains for all epochs.",
    )
    partitions: int = Field(
        default=0,
        ge=0,
        le=100_000,
        title="Partitions",
        description="Parts of the training split whose gradients are computed apart and added, for "
        "workers to keep one or several each; 0 trains on the whole.",
    )
    dtype: Literal["float32", "float64"] = Field(
        default="float32",
        title="Number type",
        description="float64 is twice as slow and exact enough to compare with other programs.",
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        title="Threads",
        description="How many threads train a network at once. The last digits of its weights "
        "depend on it, so it does not follow the machine.",
    )

    @model_validator(mode="after")
    def _a_layer_is_left_to_train(self) -> Self:
        most = len(self.convolutions) + len(self.hidden_layers)
        if self.freeze_layers > most:
            raise ValueError(
                f"`freeze_layers` {self.freeze_layers} leaves nothing to train: give {most} at "
                "most, the number of layers before the output"
            )
        return self

    @model_validator(mode="after")
    def _patience_needs_validation(self) -> Self:
        if self.patience and not self.validation_fraction:
            raise ValueError("`patience` needs a validation cost: give `validation_fraction` too")
        return self

    @model_validator(mode="after")
    def _partitions_have_work(self) -> Self:
        least = self.partitions * SMALLEST_SHARE
        if self.partitions and self.distortion:
            raise ValueError("`partitions` are trained on as they are: give `distortion` 0 too")
        if 0 < self.batch_size < least:
            raise ValueError(
                f"`partitions` {self.partitions} need the full batch, `batch_size` 0, or one of at "
                f"least {least:,} images, {SMALLEST_SHARE} for each"
            )
        return self
