from setuptools import setup
setup(name='thing', version='1', py_modules=['thing'])
