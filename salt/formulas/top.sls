# The components that the document of this minion lists, in its order: this file does not grow with the fleet.
{% from 'tideline/map.jinja' import tideline with context %}
base:
  '*':
    - tideline.artifacts
{%- for component in tideline.components %}
    - tideline.{{ component.name }}
{%- endfor %}
