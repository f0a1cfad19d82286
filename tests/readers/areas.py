"""Reads annotation files with the readers of those who thought the formats up, and prints the areas as JSON.

areas.py FOLDER: FOLDER has coco.json, coco-rle.json, and folders masks, cutouts and labelme, the last with the pictures.
"""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
from labelme import LabelFile
from labelme.utils import img_data_to_arr, shapes_to_label
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO


def counted(labels):
    """How many pixels each label but the background has."""
    numbers, counts = np.unique(labels, return_counts=True)
    return {str(number): int(count) for number, count in zip(numbers, counts) if number != 0}


def coco(path):
    """Of each picture its annotations: the area and box that are written, and those of the pixels."""
    # It talks about its progress.
    with contextlib.redirect_stdout(sys.stderr):
        file = COCO(str(path))
    pictures = {}
    for image in file.loadImgs(file.getImgIds()):
        pictures[image["file_name"]] = [
            {
                "number": annotation["category_id"],
                "area": annotation["area"],
                "bbox": annotation["bbox"],
                "pixels": int(file.annToMask(annotation).sum()),
                "box": coco_mask.toBbox(file.annToRLE(annotation)).tolist(),
                "crowd": annotation["iscrowd"],
            }
            for annotation in file.loadAnns(file.getAnnIds(imgIds=image["id"]))
        ]
    return {"names": {str(category["id"]): category["name"] for category in file.dataset["categories"]}, "pictures": pictures}


def labelme(path):
    """How many pixels each name has when LabelMe draws the shapes."""
    file = LabelFile(str(path))
    names = sorted({shape["label"] for shape in file.shapes})
    numbers = {name: number for number, name in enumerate(names, start=1)}
    labels, _ = shapes_to_label(img_data_to_arr(file.image_data).shape, file.shapes, numbers)
    counts = counted(labels)
    return {name: counts.get(str(number), 0) for name, number in numbers.items()}


def each(folder, extension, read):
    return {path.stem: read(path) for path in sorted(folder.glob("*" + extension))}


def main(folder):
    areas = {
        "coco": coco(folder / "coco.json"),
        "coco-rle": coco(folder / "coco-rle.json"),
        "labelme": each(folder / "labelme", ".json", labelme),
        "masks": each(folder / "masks", ".png", lambda path: counted(np.array(Image.open(path)))),
        "cutouts": each(folder / "cutouts", ".png", lambda path: int((np.array(Image.open(path))[..., 3] > 0).sum())),
    }
    json.dump(areas, sys.stdout)


main(Path(sys.argv[1]))
