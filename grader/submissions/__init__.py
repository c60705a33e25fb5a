"""Where submissions come from: folders, and the zips that learning platforms export."""
