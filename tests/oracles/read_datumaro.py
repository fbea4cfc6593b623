"""Labels as Datumaro reads them: one item a label, with the id of its picture, its split, class, geometry in px and attributes."""

import datumaro as dm
from datumaro.components.annotation import AnnotationType


def items(folder, format, subset=None):
    """Read an export, or one file of it, in a format of Datumaro's; flags are labels without geometry."""
    found = dm.Dataset.import_from(folder, format, **({"subset": subset} if subset else {}))
    names = found.categories()[AnnotationType.label]
    for item in found:
        base = {"picture": item.id, "split": item.subset}
        if not item.annotations:
            yield base
        for one in item.annotations:
            attributes = {name: str(value) for name, value in one.attributes.items()}
            said = base | {"kind": one.type.name, "label": names[one.label].name, "attributes": attributes}
            if one.type == AnnotationType.bbox:
                said["corners"] = [one.x, one.y, one.x + one.w, one.y + one.h]
            elif one.type == AnnotationType.points:
                said["points"] = list(one.points)
            yield said
