SELECT name, declared FROM ferryman.type ORDER BY name;
