"""What readers are told of figures: below the picture, and in its place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Words for one kind of figure.

    Attributes:
        caption: what is drawn and how to read it.
        alt: what is seen, for those who do not see it.

    """

    caption: str
    alt: str


WORDS = {
    "jsd-bars": Words(
        "Distance of what each model says of the forget images from what the gold model says "
        "(Jensen–Shannon divergence in nats, textbook form under both protocols; at most ln 2 = .693; "
        "lower is better). Bars are means over the seeds, whiskers standard deviations, dots single "
        "seeds; the dashed line is the original, to which nothing was done. Rows with a collapsed model "
        "have no bar.",
        "Bar chart of the JSD to gold on the forget images, a bar for each method and protocol, a panel "
        "for each benchmark",
    ),
    "time-bars": Words(
        "Seconds of unlearning, the method's own preparation included (mean, standard deviation and "
        "single seeds; lower is better). The title states the time of training the gold model anew; where "
        "it would shrink the bars it is not drawn. A run that both protocols share is shown once, under "
        "corrected.",
        "Bar chart of the seconds of unlearning, a bar for each method and protocol, beside those of "
        "training the gold model",
    ),
    "pareto": Words(
        "Time against Avg Gap (textbook form), means over the seeds; lower left is better. The step line "
        "joins and names the methods that nothing beats in both: no other method, nor doing nothing "
        "(dashed: the original's gap at no cost), nor retraining (dash-dotted: gold's time at no gap). "
        "Solid under corrected, dotted under released; a method above the dashed line is worse than doing "
        "nothing.",
        "Scatter plot of seconds, on a logarithmic axis, against Avg Gap, a mark for each method and "
        "protocol, with the methods that no other beats in both",
    ),
    "cost": Words(
        "What unlearning took: seconds, of which preparation is hatched, and peak memory; numbers at the "
        "bars are ratios to what the gold model took. Memory is the most that the whole job held: the "
        "libraries, which every job has, and recording predictions are part of it, so that on small data "
        "without a GPU all methods look alike; on a GPU, diamonds show what tensors took there.",
        "Bar charts of the seconds and of the peak memory of each method, with their ratios to retraining",
    ),
    "temperature": Words(
        "How LoTUS steers itself: the temperature τ = exp(α · gap) of each epoch, and below it the forget "
        "accuracy before that epoch; the gap is its distance from the accuracy on unseen images (dashed; 0 "
        "where a class is forgotten). Marks are means over the seeds (geometric for τ), thin lines single "
        "seeds; a cross is where a run ended early because forget accuracy had fallen below that of unseen "
        "images. A τ that stays high means that forgetting was not reached.",
        "Line charts of LoTUS's temperature and forget accuracy over epochs, a pair for each benchmark",
    ),
    "gradcam": Words(
        "Where models see the true class of forget images: the more orange a cell, the more it speaks for "
        "that class (Grad-CAM on the network's last map, first seed). Each map goes up to its own maximum, "
        "so shades compare cells of one map and not models; p is the probability of the true class. Where "
        "no cell speaks for the class, none is coloured. The images are the first of each class in the "
        "forget set, or its first ones where a class is forgotten.",
        "Forget images with heat maps of the original, the gold and unlearned models, and the probability "
        "that each gives the true class",
    ),
}
"""By the kind of figure."""
