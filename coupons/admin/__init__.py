"""Coupons in the staff admin."""

from coupons.admin import batches, coupons, face_to_face, standing, templates

__all__ = ["batches", "coupons", "face_to_face", "standing", "templates"]
