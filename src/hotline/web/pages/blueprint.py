"""The one blueprint that all pages hang on."""

from flask import Blueprint

bp = Blueprint("pages", __name__, template_folder="../templates")
