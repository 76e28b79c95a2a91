"""Models that can be attacked, and what is wrong with the others in one line."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.attack.inputs import AttackedModel, search_type
from intriguing.errors import InputError
from intriguing.models.checks import reason_of, require_module
from intriguing.models.evaluation import predict

FROZEN = "it is frozen TorchScript; give the script before torch.jit.freeze"
SAME_CALL, SAME_BATCH = 1e-3, 0.05
"""Largest difference of an image's logits that rounding explains, as a share of their
range: from call to call, and in another batch, also in low precision."""
SAME_SUM = 1e-2
"""Difference of a sum of probabilities from 1 that rounding explains, likewise."""


def require_attackable(model: Any) -> None:
    """Refuse what cannot be brought into evaluation mode and back."""
    require_module(model)
    if not all(hasattr(module, "training") for module in model.modules()):
        raise InputError(f"model: {FROZEN}")


def attacked_model(
    model: nn.Module, images: Float[Tensor, "n ..."]
) -> tuple[AttackedModel, Float[Tensor, "n ..."], Float[Tensor, "n classes"]]:
    """Return the function that is attacked, the images for it, and their logits.

    A model gets the images in their own type; if it does not take that, in the type of
    its weights.

    Raises:
        InputError: The model does not take the images, or cannot be attacked.
    """
    if torch.is_autocast_enabled(images.device.type):
        raise InputError(
            "autocast is on, in which the search would lose the perturbation; switch "
            "it off around the call, and on in the model's forward"
        )
    weights = [p for p in model.parameters() if p.is_floating_point()]
    devices = {p.device for p in weights}
    if len(devices) == 1 and images.device not in devices:
        raise InputError(
            f"images: they are on {images.device}, the model on {devices.pop()}; "
            "bring both to one device"
        )
    own = weights[0].dtype if weights else images.dtype
    refused: list[Exception] = []
    for taken in dict.fromkeys((images.dtype, own)):
        attacked = AttackedModel(model, images.dtype, taken)
        pixels = images.to(search_type(taken))
        try:
            output = probe(model, pixels[:1].to(taken))
        except Exception as error:  # of whatever the model's own code does
            refused.append(error)
            continue
        require_logits(output, 1)
        require_function_of_the_image(attacked, pixels)
        logits = logits_of(attacked, pixels)
        refuse_probabilities(logits)
        require_gradient(attacked, pixels)
        return attacked, pixels, logits
    raise refusal(images[:1], refused[0])


def probe(model: nn.Module, pixels: Float[Tensor, "n ..."]) -> Any:
    """Return what the model itself returns."""
    with torch.no_grad():
        return model(pixels.clone())


def refusal(images: Float[Tensor, "n ..."], error: Exception) -> InputError:
    """Return the error of a model that does not take the images."""
    return InputError(
        f"images: the model does not take {images.dtype} images of shape "
        f"{tuple(images.shape)} ({reason_of(error)})"
    )


def require_logits(output: Any, images: int) -> None:
    """Refuse outputs that are not a row of real logits an image."""
    if not isinstance(output, Tensor):
        raise InputError(
            f"model: it returns a {type(output).__name__}, not logits; wrap it in a "
            "module whose forward returns the tensor of logits"
        )
    if output.is_complex():
        raise InputError(f"model: its logits are {output.dtype}; they have to be real")
    if output.dim() != 2 or len(output) != images:
        raise InputError(
            f"model: logits of shape {tuple(output.shape)} for {images} images; "
            "it has to return (images, classes), and images need a batch dimension"
        )
    if output.shape[1] < 2:
        raise InputError("model: it returns one logit; an attack needs two classes")


def refuse_probabilities(logits: Float[Tensor, "n classes"]) -> None:
    """Refuse outputs of a softmax: where it saturates they have no slope."""
    apart = (logits.sum(1) - 1).abs().amax()
    if logits.amin() >= 0 and apart <= SAME_SUM:
        raise InputError(
            "model: its outputs are probabilities, above 0 and with sum 1; give the "
            "model without its softmax"
        )


def logits_of(
    model: AttackedModel, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of images, all finite."""
    try:
        logits = predict(model, images)
    except Exception as error:  # of whatever the model's own code does
        raise refusal(images, error) from error
    require_logits(logits, len(images))
    finite = torch.isfinite(logits).all(1)
    if not finite.all():
        row = int((~finite).nonzero()[0, 0])
        raise InputError(f"the model returns NaN or infinite logits for image {row}")
    return logits


def require_function_of_the_image(
    model: AttackedModel, images: Float[Tensor, "n ..."]
) -> None:
    """Refuse a model whose logits depend on chance, or on the rest of the batch."""
    one = images[:1]
    batches = one, one, torch.cat([one, 1 - one])
    first, again, beside = (logits_of(model, batch)[0] for batch in batches)
    extent = first.amax() - first.amin()
    rounding = 1e-5 * first.abs().amax()
    if (first - again).abs().amax() > SAME_CALL * extent + rounding:
        raise InputError(
            "model: its logits change from call to call; switch its random parts off"
        )
    if (first - beside).abs().amax() > SAME_BATCH * extent + rounding:
        raise InputError(
            "model: its logits of an image depend on the other images of the batch, as "
            "those of batch normalisation without running statistics do"
        )


def require_gradient(model: AttackedModel, images: Float[Tensor, "n ..."]) -> None:
    """Refuse a model whose logits have no gradient by the pixels."""
    try:
        with torch.enable_grad():
            pixels = images[:1].clone().requires_grad_()
            torch.autograd.grad(model(pixels).sum(), pixels)
    except RuntimeError as error:
        raise InputError(
            "model: its logits have no gradient by the pixels; call it without "
            "torch.no_grad() and with layers that can be differentiated "
            f"({reason_of(error)})"
        ) from error
