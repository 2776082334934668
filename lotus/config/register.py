"""The register of the switches in the reader's words, for reports and commands.

No model depends on it: what a switch changes is said in `lotus.config.protocol`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One deviation of the published code.

    Attributes:
        where: the part it concerns, in the reader's words.
        released: what the published code does.

    """

    where: str
    released: str


REGISTER: dict[str, Switch] = {
    "T1": Switch(
        "Original and gold",
        "early stopping keeps the weights of the last epoch run, not of the best one",
    ),
    "T2": Switch(
        "Batches of every method",
        "the last, smaller batch is kept, however small",
    ),
    "M1": Switch(
        "SCRUB",
        "the optimizer owns another copy than the one that is trained: the original is returned",
    ),
    "M2": Switch(
        "NegGrad+",
        "the sign is flipped on empty gradients: plain training on the forget, then the retain set",
    ),
    "M3": Switch(
        "SSD",
        "dampens again in every epoch; reference importance from class-ordered batches",
    ),
    "M4": Switch(
        "UNSIR",
        "instance form for classes too; one noise step; noise clamped to [0, 1]; frozen crops",
    ),
    "M5": Switch(
        "SalUn",
        "mask of 10 % in the forget pass alone; weights outside drift by decay, momentum and repair",
    ),
    "M6": Switch(
        "SalUn+LoTUS",
        "class forgetting is not told; constants of its own (mask 10 %, α 2); off-mask decay",
    ),
    "M7": Switch(
        "Bad Teacher",
        "batches not shuffled, forget images first; 10 epochs; loss also divided by the classes; a "
        "ViT-B/16 teacher is pretrained but for its head",
    ),
    "M8": Switch(
        "LoTUS",
        "accuracies rounded to 2 decimals before temperature and exit; forget images augmented",
    ),
    "M9": Switch(
        "Random Labeling",
        "labels drawn anew each epoch; a forget pass, then a retain pass, by SGD",
    ),
    "E1": Switch(
        "Membership attack",
        "comes first, image by image, in the mode the method left: in train mode each image is "
        "normalised by itself and BatchNorm's statistics are overwritten for all later numbers",
    ),
    "E2": Switch(
        "Forget and retain images",
        "are read with random augmentation in every evaluation",
    ),
    "E3": Switch(
        "Rounding",
        "accuracies and MIA to 2 decimals per run, JSD and RF-JSD to 6; Avg Gap from rounded means",
    ),
    "E4": Switch(
        "JSD and RF-JSD",
        "arguments of KL exchanged and the mean divided by the number of rows once more",
    ),
    "E5": Switch(
        "MIA with a synthetic calibration set",
        "the synthetic images also replace the validation images among the non-members",
    ),
    "E6": Switch(
        "MIA fit",
        "all retain images against test and validation images, classes weighted; the same test "
        "images are fitted on and reported",
    ),
    "R1": Switch(
        "Bad Teacher, SalUn, SalUn+LoTUS",
        "seconds of preparation are added to minutes of unlearning",
    ),
    "R2": Switch(
        "Resized images (ImageNet)",
        "images of unlearning runs are resized to the crop's size first, then enlarged and cropped; "
        "those of the original are not",
    ),
}
"""In the order of `SWITCHES`, which says what each of them changes."""
