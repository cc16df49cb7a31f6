"""Overlap of boxes, and suppression of all but the best of what overlaps."""

import torch


def box_iou(one, other):
    """Return the overlap of each of [N, 4] with each of [M, 4] corners as [N, M]."""
    top_left = torch.maximum(one[:, None, :2], other[:, :2])
    bottom_right = torch.minimum(one[:, None, 2:], other[:, 2:])
    shared = (bottom_right - top_left).clamp(min=0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (one, other)]
    return shared / (areas[0][:, None] + areas[1] - shared).clamp(min=1e-9)


def nms(boxes, scores, iou_threshold):
    """Return the indices that stay, best first."""
    order, kept = scores.argsort(descending=True), []
    while order.numel():
        kept.append(order[0])
        rest = order[1:]
        order = rest[box_iou(boxes[order[:1]], boxes[rest])[0] <= iou_threshold]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.long, device=boxes.device)
