"""A Django site with one model, one view and one job."""
