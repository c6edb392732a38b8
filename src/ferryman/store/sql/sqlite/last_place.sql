SELECT last FROM place;
