"""Materials."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, InvalidInput, NotAllowed, NotFound


class NoSuchMaterial(NotFound):
    """Unknown, a draft, withdrawn, over, or for other stores: all look the same from outside."""

    code = "campaigns.no_such_material"
    sentence = _("这份素材不在了，可能已经撤回或过期")


class MaterialUnfit(InvalidInput):
    """`details["field"]` names the part that cannot be used."""

    code = "campaigns.material_unfit"
    sentence = _("这一项不能这样填，请检查")


class MaterialPictureUnfit(InvalidInput):
    code = "campaigns.material_picture_unfit"
    sentence = _("这个文件不能用，请换一张 10 MB 以内的 JPG 或 PNG")


class MaterialEmpty(InvalidInput):
    """Nothing to see for whoever opens the link."""

    code = "campaigns.material_empty"
    sentence = _("发布前至少要有一张图片或一段正文")


class MaterialNotInState(Conflict):
    code = "campaigns.material_not_in_state"
    sentence = _("素材的状态刚刚变了，请刷新后再看")


class MaterialForHeadOffice(NotAllowed):
    code = "campaigns.material_for_head_office"
    sentence = _("全部门店用的素材由总部来写，请选择您负责的区域或门店")
